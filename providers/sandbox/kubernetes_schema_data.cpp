// The types of the built-in kinds that the sandbox serves, one a line; a line that is indented goes on with the one
// above. From the OpenAPI document of Kubernetes 1.36 (/openapi/v3) and cert-manager's CRDs. Volume sources that no
// restricted pod may have are left untyped.
//
//   =Type      owned as a whole (x-kubernetes-map-type: atomic)      field!   required
//   s text, s(A,B) one of, i integer, n number, b boolean, q quantity, x integer or text, t time, j anything
//   {T} map of T   ={T} atomic map   [T] atomic list   [T|a,b] list keyed by a and b   [T|] set
#include "providers/sandbox/kubernetes_schema_data.hpp"

namespace litedesk::sandbox::kube {

// clang-format off
constexpr std::string_view schema_data[3] = {
R"(Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
AggregationRule clusterRoleSelectors:[LabelSelector]
AppArmorProfile localhostProfile:s type!:s(Localhost,RuntimeDefault,Unconfined)
CSIVolumeSource driver!:s fsType:s nodePublishSecretRef:LocalObjectReference readOnly:b volumeAttributes:{s}
Capabilities add:[s] drop:[s]
ClientIPConfig timeoutSeconds:i
ClusterRole aggregationRule:AggregationRule metadata:ObjectMeta rules:[PolicyRule]
ClusterRoleBinding metadata:ObjectMeta roleRef!:RoleRef subjects:[Subject]
Condition lastTransitionTime!:t message!:s observedGeneration:i reason!:s status!:s type!:s
ConfigMap binaryData:{s} data:{s} immutable:b metadata:ObjectMeta
ConfigMapEnvSource name:s optional:b
=ConfigMapKeySelector key!:s name:s optional:b
ConfigMapNodeConfigSource kubeletConfigKey!:s name!:s namespace!:s resourceVersion:s uid:s
ConfigMapProjection items:[KeyToPath] name:s optional:b
ConfigMapVolumeSource defaultMode:i items:[KeyToPath] name:s optional:b
Container args:[s] command:[s] env:[EnvVar|name] envFrom:[EnvFromSource] image:s
  imagePullPolicy:s(Always,IfNotPresent,Never) lifecycle:Lifecycle livenessProbe:Probe name!:s
  ports:[ContainerPort|containerPort,protocol] readinessProbe:Probe resizePolicy:[ContainerResizePolicy]
  resources:ResourceRequirements restartPolicy:s restartPolicyRules:[j] securityContext:SecurityContext
  startupProbe:Probe stdin:b stdinOnce:b terminationMessagePath:s
  terminationMessagePolicy:s(FallbackToLogsOnError,File) tty:b volumeDevices:[VolumeDevice|devicePath]
  volumeMounts:[VolumeMount|mountPath] workingDir:s
ContainerPort containerPort!:i hostIP:s hostPort:i name:s protocol:s(SCTP,TCP,UDP)
ContainerResizePolicy resourceName!:s restartPolicy!:s
ContainerResourceMetricSource container!:s name!:s target!:MetricTarget
ContainerResourceMetricStatus container!:s current!:MetricValueStatus name!:s
ContainerState running:ContainerStateRunning terminated:ContainerStateTerminated waiting:ContainerStateWaiting
ContainerStateRunning startedAt:t
ContainerStateTerminated containerID:s exitCode!:i finishedAt:t message:s reason:s signal:i startedAt:t
ContainerStateWaiting message:s reason:s
ContainerStatus allocatedResources:{q} allocatedResourcesStatus:[j|name] containerID:s image!:s imageID!:s
  lastState:ContainerState name!:s ready!:b resources:ResourceRequirements restartCount!:i started:b
  state:ContainerState stopSignal:s user:j volumeMounts:[j|mountPath]
ControllerRevision data:j metadata:ObjectMeta revision!:i
CrossVersionObjectReference apiVersion:s kind!:s name!:s
CustomResourceColumnDefinition description:s format:s jsonPath!:s name!:s priority:i type!:s
CustomResourceDefinition metadata:ObjectMeta spec!:CustomResourceDefinitionSpec status:CustomResourceDefinitionStatus
CustomResourceDefinitionCondition lastTransitionTime:t message:s observedGeneration:i reason:s status!:s type!:s
CustomResourceDefinitionNames categories:[s] kind!:s listKind:s plural!:s shortNames:[s] singular:s
CustomResourceDefinitionSpec conversion:j group!:s names!:CustomResourceDefinitionNames preserveUnknownFields:b
  scope!:s versions!:[CustomResourceDefinitionVersion]
CustomResourceDefinitionStatus acceptedNames:CustomResourceDefinitionNames
  conditions:[CustomResourceDefinitionCondition|type] observedGeneration:i storedVersions:[s]
CustomResourceDefinitionVersion additionalPrinterColumns:[CustomResourceColumnDefinition] deprecated:b
  deprecationWarning:s name!:s schema:CustomResourceValidation selectableFields:[j] served!:b storage!:b
  subresources:CustomResourceSubresources
CustomResourceSubresourceScale labelSelectorPath:s specReplicasPath!:s statusReplicasPath!:s
CustomResourceSubresourceStatus
CustomResourceSubresources scale:CustomResourceSubresourceScale status:CustomResourceSubresourceStatus
CustomResourceValidation openAPIV3Schema:j
Deployment metadata:ObjectMeta spec:DeploymentSpec status:DeploymentStatus
DeploymentCondition lastTransitionTime:t lastUpdateTime:t message:s reason:s status!:s type!:s
DeploymentSpec minReadySeconds:i paused:b progressDeadlineSeconds:i replicas:i revisionHistoryLimit:i
  selector!:LabelSelector strategy:DeploymentStrategy template!:PodTemplateSpec
DeploymentStatus availableReplicas:i collisionCount:i conditions:[DeploymentCondition|type] observedGeneration:i
  readyReplicas:i replicas:i terminatingReplicas:i unavailableReplicas:i updatedReplicas:i
DeploymentStrategy rollingUpdate:RollingUpdateDeployment type:s(Recreate,RollingUpdate)
DownwardAPIProjection items:[DownwardAPIVolumeFile]
DownwardAPIVolumeFile fieldRef:ObjectFieldSelector mode:i path!:s resourceFieldRef:ResourceFieldSelector
DownwardAPIVolumeSource defaultMode:i items:[DownwardAPIVolumeFile]
EmptyDirVolumeSource medium:s sizeLimit:q
=EndpointAddress hostname:s ip!:s nodeName:s targetRef:ObjectReference
=EndpointPort appProtocol:s name:s port!:i protocol:s(SCTP,TCP,UDP)
EndpointSubset addresses:[EndpointAddress] notReadyAddresses:[EndpointAddress] ports:[EndpointPort]
Endpoints metadata:ObjectMeta subsets:[EndpointSubset]
EnvFromSource configMapRef:ConfigMapEnvSource prefix:s secretRef:SecretEnvSource
EnvVar name!:s value:s valueFrom:EnvVarSource
EnvVarSource configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector fileKeyRef:j
  resourceFieldRef:ResourceFieldSelector secretKeyRef:SecretKeySelector
EphemeralContainer args:[s] command:[s] env:[EnvVar|name] envFrom:[EnvFromSource] image:s
  imagePullPolicy:s(Always,IfNotPresent,Never) lifecycle:Lifecycle livenessProbe:Probe name!:s
  ports:[ContainerPort|containerPort,protocol] readinessProbe:Probe resizePolicy:[ContainerResizePolicy]
  resources:ResourceRequirements restartPolicy:s restartPolicyRules:[j] securityContext:SecurityContext
  startupProbe:Probe stdin:b stdinOnce:b targetContainerName:s terminationMessagePath:s
  terminationMessagePolicy:s(FallbackToLogsOnError,File) tty:b volumeDevices:[VolumeDevice|devicePath]
  volumeMounts:[VolumeMount|mountPath] workingDir:s
EphemeralVolumeSource volumeClaimTemplate:PersistentVolumeClaimTemplate
Event action:s count:i eventTime:t firstTimestamp:t involvedObject!:ObjectReference lastTimestamp:t message:s
  metadata!:ObjectMeta reason:s related:ObjectReference reportingComponent:s reportingInstance:s series:EventSeries
  source:EventSource type:s
EventSeries count:i lastObservedTime:t
EventSource component:s host:s
ExecAction command:[s]
ExternalMetricSource metric!:MetricIdentifier target!:MetricTarget
ExternalMetricStatus current!:MetricValueStatus metric!:MetricIdentifier
GRPCAction port!:i service:s
HPAScalingPolicy periodSeconds!:i type!:s value!:i
HPAScalingRules policies:[HPAScalingPolicy] selectPolicy:s stabilizationWindowSeconds:i tolerance:q
HTTPGetAction host:s httpHeaders:[HTTPHeader] path:s port!:x scheme:s(HTTP,HTTPS)
HTTPHeader name!:s value!:s
HTTPIngressPath backend!:IngressBackend path:s pathType:s(Exact,ImplementationSpecific,Prefix)
HTTPIngressRuleValue paths!:[HTTPIngressPath]
HorizontalPodAutoscaler metadata:ObjectMeta spec!:HorizontalPodAutoscalerSpec status:HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerBehavior scaleDown:HPAScalingRules scaleUp:HPAScalingRules
HorizontalPodAutoscalerCondition lastTransitionTime:t message:s reason:s status!:s type!:s
HorizontalPodAutoscalerSpec behavior:HorizontalPodAutoscalerBehavior maxReplicas!:i metrics:[MetricSpec] minReplicas:i
  scaleTargetRef!:CrossVersionObjectReference
HorizontalPodAutoscalerStatus conditions:[HorizontalPodAutoscalerCondition|type] currentMetrics:[MetricStatus]
  currentReplicas:i desiredReplicas!:i lastScaleTime:t observedGeneration:i
HostAlias hostnames:[s] ip!:s
HostIP ip!:s
HostPathVolumeSource path!:s type:s(,BlockDevice,CharDevice,Directory,DirectoryOrCreate,File,FileOrCreate,Socket)
IPBlock cidr!:s except:[s]
ImageVolumeSource pullPolicy:s(Always,IfNotPresent,Never) reference:s
Ingress metadata:ObjectMeta spec:IngressSpec status:IngressStatus
IngressBackend resource:TypedLocalObjectReference service:IngressServiceBackend
IngressClass metadata:ObjectMeta spec:IngressClassSpec
IngressClassParametersReference apiGroup:s kind!:s name!:s namespace:s scope:s
IngressClassSpec controller:s parameters:IngressClassParametersReference
IngressLoadBalancerIngress hostname:s ip:s ports:[IngressPortStatus]
IngressLoadBalancerStatus ingress:[IngressLoadBalancerIngress]
IngressPortStatus error:s port!:i protocol!:s(SCTP,TCP,UDP)
IngressRule host:s http:HTTPIngressRuleValue
IngressServiceBackend name!:s port:ServiceBackendPort
IngressSpec defaultBackend:IngressBackend ingressClassName:s rules:[IngressRule] tls:[IngressTLS]
IngressStatus loadBalancer:IngressLoadBalancerStatus
IngressTLS hosts:[s] secretName:s
Job metadata:ObjectMeta spec:JobSpec status:JobStatus
JobCondition lastProbeTime:t lastTransitionTime:t message:s reason:s status!:s type!:s
JobSpec activeDeadlineSeconds:i backoffLimit:i backoffLimitPerIndex:i completionMode:s(Indexed,NonIndexed)
  completions:i managedBy:s manualSelector:b maxFailedIndexes:i parallelism:i podFailurePolicy:j
  podReplacementPolicy:s(Failed,TerminatingOrFailed) selector:LabelSelector successPolicy:j suspend:b
  template!:PodTemplateSpec ttlSecondsAfterFinished:i
JobStatus active:i completedIndexes:s completionTime:t conditions:[JobCondition] failed:i failedIndexes:s ready:i
  startTime:t succeeded:i terminating:i uncountedTerminatedPods:j
KeyToPath key!:s mode:i path!:s
=LabelSelector matchExpressions:[LabelSelectorRequirement] matchLabels:{s}
LabelSelectorRequirement key!:s operator!:s values:[s]
Lease metadata:ObjectMeta spec:LeaseSpec
LeaseSpec acquireTime:t holderIdentity:s leaseDurationSeconds:i leaseTransitions:i preferredHolder:s renewTime:t
  strategy:s
Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:s
LifecycleHandler exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction
LimitRange metadata:ObjectMeta spec:LimitRangeSpec
LimitRangeItem default:{q} defaultRequest:{q} max:{q} maxLimitRequestRatio:{q} min:{q} type!:s
LimitRangeSpec limits!:[LimitRangeItem]
LoadBalancerIngress hostname:s ip:s ipMode:s ports:[PortStatus]
LoadBalancerStatus ingress:[LoadBalancerIngress]
=LocalObjectReference name:s
MetricIdentifier name!:s selector:LabelSelector
MetricSpec containerResource:ContainerResourceMetricSource external:ExternalMetricSource object:ObjectMetricSource
  pods:PodsMetricSource resource:ResourceMetricSource type!:s
MetricStatus containerResource:ContainerResourceMetricStatus external:ExternalMetricStatus object:ObjectMetricStatus
  pods:PodsMetricStatus resource:ResourceMetricStatus type!:s
MetricTarget averageUtilization:i averageValue:q type!:s value:q
MetricValueStatus averageUtilization:i averageValue:q value:q
MutatingWebhook admissionReviewVersions!:[s] clientConfig!:j failurePolicy:s(Fail,Ignore) matchConditions:[j]
  matchPolicy:s(Equivalent,Exact) name!:s namespaceSelector:LabelSelector objectSelector:LabelSelector
  reinvocationPolicy:s(IfNeeded,Never) rules:[RuleWithOperations] sideEffects!:s timeoutSeconds:i
MutatingWebhookConfiguration metadata:ObjectMeta webhooks:[MutatingWebhook|name]
NFSVolumeSource path!:s readOnly:b server!:s
Namespace metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus
NamespaceCondition lastTransitionTime:t message:s reason:s status!:s type!:s
NamespaceSpec finalizers:[s]
NamespaceStatus conditions:[NamespaceCondition|type] phase:s(Active,Terminating)
NetworkPolicy metadata:ObjectMeta spec:NetworkPolicySpec
NetworkPolicyEgressRule ports:[NetworkPolicyPort] to:[NetworkPolicyPeer]
NetworkPolicyIngressRule from:[NetworkPolicyPeer] ports:[NetworkPolicyPort]
NetworkPolicyPeer ipBlock:IPBlock namespaceSelector:LabelSelector podSelector:LabelSelector
NetworkPolicyPort endPort:i port:x protocol:s(SCTP,TCP,UDP)
NetworkPolicySpec egress:[NetworkPolicyEgressRule] ingress:[NetworkPolicyIngressRule] podSelector:LabelSelector
  policyTypes:[s(Egress,Ingress)]
Node metadata:ObjectMeta spec:NodeSpec status:NodeStatus
NodeAddress address!:s type!:s
NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:[PreferredSchedulingTerm]
  requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
NodeAllocatableResourceClaimStatus containers:[s|] resourceClaimName!:s resources!:{q}
NodeCondition lastHeartbeatTime:t lastTransitionTime:t message:s reason:s status!:s type!:s
)",
R"(NodeConfigSource configMap:ConfigMapNodeConfigSource
=NodeSelector nodeSelectorTerms!:[NodeSelectorTerm]
NodeSelectorRequirement key!:s operator!:s(DoesNotExist,Exists,Gt,In,Lt,NotIn) values:[s]
=NodeSelectorTerm matchExpressions:[NodeSelectorRequirement] matchFields:[NodeSelectorRequirement]
NodeSpec configSource:NodeConfigSource externalID:s podCIDR:s podCIDRs:[s|] providerID:s taints:[Taint]
  unschedulable:b
NodeStatus addresses:[NodeAddress|type] allocatable:{q} capacity:{q} conditions:[NodeCondition|type] config:j
  daemonEndpoints:j declaredFeatures:[s] features:j images:[j] nodeInfo:j phase:s(Pending,Running,Terminated)
  runtimeHandlers:[j] volumesAttached:[j] volumesInUse:[s]
=ObjectFieldSelector apiVersion:s fieldPath!:s
ObjectMeta annotations:{s} creationTimestamp:t deletionGracePeriodSeconds:i deletionTimestamp:t finalizers:[s|]
  generateName:s generation:i labels:{s} managedFields:[j] name:s namespace:s ownerReferences:[OwnerReference|uid]
  resourceVersion:s selfLink:s uid:s
ObjectMetricSource describedObject!:CrossVersionObjectReference metric!:MetricIdentifier target!:MetricTarget
ObjectMetricStatus current!:MetricValueStatus describedObject!:CrossVersionObjectReference metric!:MetricIdentifier
=ObjectReference apiVersion:s fieldPath:s kind:s name:s namespace:s resourceVersion:s uid:s
=OwnerReference apiVersion!:s blockOwnerDeletion:b controller:b kind!:s name!:s uid!:s
PersistentVolumeClaim metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
PersistentVolumeClaimCondition lastProbeTime:t lastTransitionTime:t message:s reason:s status!:s type!:s
PersistentVolumeClaimSpec accessModes:[s(ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod)]
  dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference resources:VolumeResourceRequirements
  selector:LabelSelector storageClassName:s volumeAttributesClassName:s volumeMode:s(Block,Filesystem) volumeName:s
PersistentVolumeClaimStatus accessModes:[s(ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod)]
  allocatedResourceStatuses:{s(ControllerResizeInProgress,ControllerResizeInfeasible,NodeResizeInProgress,NodeResizeInfeasible,NodeResizePending)}
  allocatedResources:{q} capacity:{q} conditions:[PersistentVolumeClaimCondition|type]
  currentVolumeAttributesClassName:s modifyVolumeStatus:j phase:s(Bound,Lost,Pending)
PersistentVolumeClaimTemplate metadata:ObjectMeta spec!:PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource claimName!:s readOnly:b
Pod metadata:ObjectMeta spec:PodSpec status:PodStatus
PodAffinity preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
PodAffinityTerm labelSelector:LabelSelector matchLabelKeys:[s] mismatchLabelKeys:[s] namespaceSelector:LabelSelector
  namespaces:[s] topologyKey!:s
PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
PodCondition lastProbeTime:t lastTransitionTime:t message:s observedGeneration:i reason:s status!:s type!:s
PodDNSConfig nameservers:[s] options:[PodDNSConfigOption] searches:[s]
PodDNSConfigOption name:s value:s
PodDisruptionBudget metadata:ObjectMeta spec:PodDisruptionBudgetSpec status:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec maxUnavailable:x minAvailable:x selector:LabelSelector
  unhealthyPodEvictionPolicy:s(AlwaysAllow,IfHealthyBudget)
PodDisruptionBudgetStatus conditions:[Condition|type] currentHealthy:i desiredHealthy:i disruptedPods:{t}
  disruptionsAllowed:i expectedPods:i observedGeneration:i
PodIP ip!:s
PodOS name!:s
PodReadinessGate conditionType!:s
PodSchedulingGate name!:s
PodSecurityContext appArmorProfile:AppArmorProfile fsGroup:i fsGroupChangePolicy:s(Always,OnRootMismatch) runAsGroup:i
  runAsNonRoot:b runAsUser:i seLinuxChangePolicy:s seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile
  supplementalGroups:[i] supplementalGroupsPolicy:s(Merge,Strict) sysctls:[Sysctl] windowsOptions:j
PodSpec activeDeadlineSeconds:i affinity:Affinity automountServiceAccountToken:b containers!:[Container|name]
  dnsConfig:PodDNSConfig dnsPolicy:s(ClusterFirst,ClusterFirstWithHostNet,Default,None) enableServiceLinks:b
  ephemeralContainers:[EphemeralContainer|name] hostAliases:[HostAlias|ip] hostIPC:b hostNetwork:b hostPID:b
  hostUsers:b hostname:s hostnameOverride:s imagePullSecrets:[LocalObjectReference|name]
  initContainers:[Container|name] nodeName:s nodeSelector:={s} os:PodOS overhead:{q}
  preemptionPolicy:s(Never,PreemptLowerPriority) priority:i priorityClassName:s readinessGates:[PodReadinessGate]
  resourceClaims:[j|name] resources:ResourceRequirements restartPolicy:s(Always,Never,OnFailure) runtimeClassName:s
  schedulerName:s schedulingGates:[PodSchedulingGate|name] schedulingGroup:j securityContext:PodSecurityContext
  serviceAccount:s serviceAccountName:s setHostnameAsFQDN:b shareProcessNamespace:b subdomain:s
  terminationGracePeriodSeconds:i tolerations:[Toleration]
  topologySpreadConstraints:[TopologySpreadConstraint|topologyKey,whenUnsatisfiable] volumes:[Volume|name]
PodStatus allocatedResources:{q} conditions:[PodCondition|type] containerStatuses:[ContainerStatus]
  ephemeralContainerStatuses:[ContainerStatus] extendedResourceClaimStatus:j hostIP:s hostIPs:[HostIP]
  initContainerStatuses:[ContainerStatus] message:s
  nodeAllocatableResourceClaimStatuses:[NodeAllocatableResourceClaimStatus] nominatedNodeName:s observedGeneration:i
  phase:s(Failed,Pending,Running,Succeeded,Unknown) podIP:s podIPs:[PodIP|ip]
  qosClass:s(BestEffort,Burstable,Guaranteed) reason:s resize:s resourceClaimStatuses:[j|name]
  resources:ResourceRequirements startTime:t
PodTemplateSpec metadata:ObjectMeta spec:PodSpec
PodsMetricSource metric!:MetricIdentifier target!:MetricTarget
PodsMetricStatus current!:MetricValueStatus metric!:MetricIdentifier
PolicyRule apiGroups:[s] nonResourceURLs:[s] resourceNames:[s] resources:[s] verbs!:[s]
PortStatus error:s port!:i protocol!:s(SCTP,TCP,UDP)
PreferredSchedulingTerm preference!:NodeSelectorTerm weight!:i
Probe exec:ExecAction failureThreshold:i grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:i periodSeconds:i
  successThreshold:i tcpSocket:TCPSocketAction terminationGracePeriodSeconds:i timeoutSeconds:i
ProjectedVolumeSource defaultMode:i sources:[VolumeProjection]
ReplicaSet metadata:ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus
ReplicaSetCondition lastTransitionTime:t message:s reason:s status!:s type!:s
ReplicaSetSpec minReadySeconds:i replicas:i selector!:LabelSelector template:PodTemplateSpec
ReplicaSetStatus availableReplicas:i conditions:[ReplicaSetCondition|type] fullyLabeledReplicas:i observedGeneration:i
  readyReplicas:i replicas!:i terminatingReplicas:i
=ResourceFieldSelector containerName:s divisor:q resource!:s
ResourceMetricSource name!:s target!:MetricTarget
ResourceMetricStatus current!:MetricValueStatus name!:s
ResourceQuota metadata:ObjectMeta spec:ResourceQuotaSpec status:ResourceQuotaStatus
ResourceQuotaSpec hard:{q} scopeSelector:ScopeSelector
  scopes:[s(BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass)]
ResourceQuotaStatus hard:{q} used:{q}
ResourceRequirements claims:[j|name] limits:{q} requests:{q}
Role metadata:ObjectMeta rules:[PolicyRule]
RoleBinding metadata:ObjectMeta roleRef!:RoleRef subjects:[Subject]
=RoleRef apiGroup:s kind!:s name!:s
RollingUpdateDeployment maxSurge:x maxUnavailable:x
RollingUpdateStatefulSetStrategy maxUnavailable:x partition:i
RuleWithOperations apiGroups:[s] apiVersions:[s] operations:[s] resources:[s] scope:s(*,Cluster,Namespaced)
SELinuxOptions level:s role:s type:s user:s
=ScopeSelector matchExpressions:[ScopedResourceSelectorRequirement]
ScopedResourceSelectorRequirement operator!:s(DoesNotExist,Exists,In,NotIn)
  scopeName!:s(BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass)
  values:[s]
SeccompProfile localhostProfile:s type!:s(Localhost,RuntimeDefault,Unconfined)
Secret data:{s} immutable:b metadata:ObjectMeta stringData:{s} type:s
SecretEnvSource name:s optional:b
=SecretKeySelector key!:s name:s optional:b
SecretProjection items:[KeyToPath] name:s optional:b
SecretVolumeSource defaultMode:i items:[KeyToPath] optional:b secretName:s
SecurityContext allowPrivilegeEscalation:b appArmorProfile:AppArmorProfile capabilities:Capabilities privileged:b
  procMount:s(Default,Unmasked) readOnlyRootFilesystem:b runAsGroup:i runAsNonRoot:b runAsUser:i
  seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile windowsOptions:j
Service metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus
ServiceAccount automountServiceAccountToken:b imagePullSecrets:[LocalObjectReference] metadata:ObjectMeta
  secrets:[ObjectReference|name]
ServiceAccountTokenProjection audience:s expirationSeconds:i path!:s
=ServiceBackendPort name:s number:i
ServicePort appProtocol:s name:s nodePort:i port!:i protocol:s(SCTP,TCP,UDP) targetPort:x
ServiceSpec allocateLoadBalancerNodePorts:b clusterIP:s clusterIPs:[s] externalIPs:[s] externalName:s
  externalTrafficPolicy:s(Cluster,Local) healthCheckNodePort:i internalTrafficPolicy:s(Cluster,Local)
  ipFamilies:[s(IPv4,IPv6)] ipFamilyPolicy:s(PreferDualStack,RequireDualStack,SingleStack) loadBalancerClass:s
  loadBalancerIP:s loadBalancerSourceRanges:[s] ports:[ServicePort|port,protocol] publishNotReadyAddresses:b
  selector:={s} sessionAffinity:s(ClientIP,None) sessionAffinityConfig:SessionAffinityConfig trafficDistribution:s
  type:s(ClusterIP,ExternalName,LoadBalancer,NodePort)
ServiceStatus conditions:[Condition|type] loadBalancer:LoadBalancerStatus
SessionAffinityConfig clientIP:ClientIPConfig
SleepAction seconds!:i
StatefulSet metadata:ObjectMeta spec:StatefulSetSpec status:StatefulSetStatus
StatefulSetCondition lastTransitionTime:t message:s reason:s status!:s type!:s
StatefulSetOrdinals start:i
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:s whenScaled:s
StatefulSetSpec minReadySeconds:i ordinals:StatefulSetOrdinals
  persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy
  podManagementPolicy:s(OrderedReady,Parallel) replicas:i revisionHistoryLimit:i selector!:LabelSelector serviceName:s
  template!:PodTemplateSpec updateStrategy:StatefulSetUpdateStrategy volumeClaimTemplates:[PersistentVolumeClaim]
StatefulSetStatus availableReplicas:i collisionCount:i conditions:[StatefulSetCondition|type] currentReplicas:i
  currentRevision:s observedGeneration:i readyReplicas:i replicas!:i updateRevision:s updatedReplicas:i
StatefulSetUpdateStrategy rollingUpdate:RollingUpdateStatefulSetStrategy type:s(OnDelete,RollingUpdate)
StorageClass allowVolumeExpansion:b allowedTopologies:[j] metadata:ObjectMeta mountOptions:[s] parameters:{s}
  provisioner!:s reclaimPolicy:s(Delete,Recycle,Retain) volumeBindingMode:s(Immediate,WaitForFirstConsumer)
=Subject apiGroup:s kind!:s name!:s namespace:s
Sysctl name!:s value!:s
TCPSocketAction host:s port!:x
Taint effect!:s(NoExecute,NoSchedule,PreferNoSchedule) key!:s timeAdded:t value:s
Toleration effect:s(NoExecute,NoSchedule,PreferNoSchedule) key:s operator:s(Equal,Exists,Gt,Lt) tolerationSeconds:i
  value:s
TopologySpreadConstraint labelSelector:LabelSelector matchLabelKeys:[s] maxSkew!:i minDomains:i
  nodeAffinityPolicy:s(Honor,Ignore) nodeTaintsPolicy:s(Honor,Ignore) topologyKey!:s
  whenUnsatisfiable!:s(DoNotSchedule,ScheduleAnyway)
=TypedLocalObjectReference apiGroup:s kind!:s name!:s
TypedObjectReference apiGroup:s kind!:s name!:s namespace:s
ValidatingWebhook admissionReviewVersions!:[s] clientConfig!:j failurePolicy:s(Fail,Ignore) matchConditions:[j]
  matchPolicy:s(Equivalent,Exact) name!:s namespaceSelector:LabelSelector objectSelector:LabelSelector
  rules:[RuleWithOperations] sideEffects!:s timeoutSeconds:i
ValidatingWebhookConfiguration metadata:ObjectMeta webhooks:[ValidatingWebhook|name]
Volume awsElasticBlockStore:j azureDisk:j azureFile:j cephfs:j cinder:j configMap:ConfigMapVolumeSource
  csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource emptyDir:EmptyDirVolumeSource
  ephemeral:EphemeralVolumeSource fc:j flexVolume:j flocker:j gcePersistentDisk:j gitRepo:j glusterfs:j
  hostPath:HostPathVolumeSource image:ImageVolumeSource iscsi:j name!:s nfs:NFSVolumeSource
  persistentVolumeClaim:PersistentVolumeClaimVolumeSource photonPersistentDisk:j portworxVolume:j
  projected:ProjectedVolumeSource quobyte:j rbd:j scaleIO:j secret:SecretVolumeSource storageos:j vsphereVolume:j
)",
R"(VolumeDevice devicePath!:s name!:s
VolumeMount mountPath!:s mountPropagation:s(Bidirectional,HostToContainer,None) name!:s readOnly:b recursiveReadOnly:s
  subPath:s subPathExpr:s
VolumeProjection clusterTrustBundle:j configMap:ConfigMapProjection downwardAPI:DownwardAPIProjection podCertificate:j
  secret:SecretProjection serviceAccountToken:ServiceAccountTokenProjection
VolumeResourceRequirements limits:{q} requests:{q}
WeightedPodAffinityTerm podAffinityTerm!:PodAffinityTerm weight!:i
Certificate metadata:ObjectMeta spec:CertificateSpec status:CertificateStatus
CertificateSpec additionalOutputFormats:[j] commonName:s dnsNames:[s] duration:s emailAddresses:[s]
  encodeUsagesInRequest:b ipAddresses:[s] isCA:b issuerRef!:IssuerReference keystores:j literalSubject:s
  nameConstraints:j otherNames:[j] privateKey:CertificatePrivateKey renewBefore:s renewBeforePercentage:i
  revisionHistoryLimit:i secretName!:s secretTemplate:CertificateSecretTemplate subject:j uris:[s] usages:[s]
CertificatePrivateKey algorithm:s(ECDSA,Ed25519,RSA) encoding:s(PKCS1,PKCS8) rotationPolicy:s(Always,Never) size:i
CertificateSecretTemplate annotations:{s} labels:{s}
CertificateStatus conditions:[CertificateCondition|type] failedIssuanceAttempts:i lastFailureTime:t
  nextPrivateKeySecretName:s notAfter:t notBefore:t renewalTime:t revision:i
CertificateCondition lastTransitionTime:t message:s observedGeneration:i reason:s status!:s(False,True,Unknown)
  type!:s
IssuerReference group:s kind:s name!:s
CertificateRequest metadata:ObjectMeta spec:CertificateRequestSpec status:CertificateRequestStatus
CertificateRequestSpec duration:s extra:j groups:[s] isCA:b issuerRef!:IssuerReference request!:s uid:s usages:[s]
  username:s
CertificateRequestStatus ca:s certificate:s conditions:[CertificateCondition|type] failureTime:t
ClusterIssuer metadata:ObjectMeta spec!:IssuerSpec status:IssuerStatus
Issuer metadata:ObjectMeta spec!:IssuerSpec status:IssuerStatus
IssuerSpec acme:j ca:j selfSigned:j vault:j venafi:j
IssuerStatus acme:j conditions:[CertificateCondition|type]
Order metadata:ObjectMeta spec:j status:j
Challenge metadata:ObjectMeta spec:j status:j
Scale metadata:ObjectMeta spec:ScaleSpec status:ScaleStatus
EndpointSlice addressType!:s(FQDN,IPv4,IPv6) endpoints!:[Endpoint] metadata:ObjectMeta ports:[SlicePort]
Endpoint addresses!:[s|] conditions:EndpointConditions deprecatedTopology:{s} hints:j hostname:s nodeName:s
  targetRef:ObjectReference zone:s
EndpointConditions ready:b serving:b terminating:b
SlicePort appProtocol:s name:s port:i protocol:s
ScaleSpec replicas:i
ScaleStatus replicas!:i selector:s
)"};
// clang-format on

const std::span<const std::string_view> schema_lines{schema_data};

}  // namespace litedesk::sandbox::kube
